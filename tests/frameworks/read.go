// Go's net/http and encoding/json: one request a line in, what a handler reads a line out. Arguments: the guarded
// names, the paths of members (the struct below has both in its tags).
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

type sent struct {
	Method  string
	Target  string
	Headers [][2]string
	Body    *string
}

type answer struct {
	Methods [][2]string `json:"methods"`
	Reads   [][3]any    `json:"reads"`
	Refused string      `json:"refused,omitempty"`
}

// What handlers decode bodies into: each member is found by a name that only resembles that of its tag.
type flat struct {
	Project    any `json:"project"`
	ProjectID  any `json:"project_id"`
	ProjectDot any `json:"project.id"`
	Key        any `json:"key"`
	Status     any `json:"status"`
}

type nested struct {
	Project struct {
		Key any `json:"key"`
	} `json:"project"`
}

func (a *answer) found(place, name string, value any) {
	if value != nil {
		a.Reads = append(a.Reads, [3]any{place, name, value})
	}
}

func (a *answer) values(place string, values map[string][]string, names []string) {
	for _, name := range names {
		if all := values[name]; len(all) > 0 {
			a.found(place, name, all)
		}
	}
}

func parsed(raw []byte) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
}

func read(request sent, names []string) answer {
	a := answer{Methods: [][2]string{}, Reads: [][3]any{}}
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\n", request.Method, request.Target)
	for _, header := range request.Headers {
		fmt.Fprintf(&raw, "%s: %s\r\n", header[0], header[1])
	}
	raw.WriteString("\r\n")
	if request.Body != nil {
		body, _ := base64.StdEncoding.DecodeString(*request.Body)
		raw.Write(body)
	}
	r, err := parsed(raw.Bytes())
	if err != nil {
		a.Refused = err.Error()
		return a
	}
	a.Methods = append(a.Methods, [2]string{"header", r.Method})
	a.values("query", r.URL.Query(), names)
	// A handler may go on after an error of either: what has been read by then stays.
	_ = r.ParseForm()
	a.values("merged", r.Form, names)
	r, _ = parsed(raw.Bytes())
	_ = r.ParseMultipartForm(1 << 20)
	a.values("merged", r.Form, names)
	for _, name := range names {
		if value := r.FormValue(name); value != "" {
			a.found("merged", name, value)
		}
	}
	r, _ = parsed(raw.Bytes())
	body, _ := io.ReadAll(r.Body)
	var f flat
	if json.Unmarshal(body, &f) == nil {
		for name, value := range map[string]any{
			"project": f.Project, "project_id": f.ProjectID, "project.id": f.ProjectDot, "key": f.Key,
			"status": f.Status,
		} {
			a.found("json", name, value)
		}
	}
	var n nested
	if json.NewDecoder(bytes.NewReader(body)).Decode(&n) == nil {
		a.found("json", "project.key", n.Project.Key)
	}
	return a
}

func main() {
	names := strings.Split(os.Args[1], ",")
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var request sent
		if err := json.Unmarshal(line, &request); err != nil {
			panic(err)
		}
		text, _ := json.Marshal(read(request, names))
		out.Write(append(text, '\n'))
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}
