"""WSGI frameworks: one request a line in, what a handler reads a line out.

Arguments: bottle, flask or webob; the guarded names; the paths of members.
"""

import base64
import io
import json
import sys

FRAMEWORK, NAMES, NESTED = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
try:
    __import__(FRAMEWORK)
except ImportError:
    print(f"there is no {FRAMEWORK}", file=sys.stderr)
    sys.exit(3)


def environment(request):
    """What a server hands over (PEP 3333)."""
    path, _, query = request["target"].partition("?")
    body = base64.b64decode(request["body"] or "")
    environ = {
        "REQUEST_METHOD": request["method"], "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query,
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(), "wsgi.multithread": False, "wsgi.multiprocess": True,
        "wsgi.run_once": False, "wsgi.input_terminated": True,
    }
    for name, value in request["headers"]:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        environ[key] = value
    if "HTTP_TRANSFER_ENCODING" in environ:
        # gunicorn and others hand over what has been put together.
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


class Reads:
    def __init__(self, environ):
        self.all, self.refused, self.methods = [], None, [["header", environ["REQUEST_METHOD"]]]

    def found(self, place, name, value):
        if value is not None and value != []:
            self.all.append([place, name, value])

    def tried(self, read):
        try:
            return read()
        except Exception as error:  # whatever the framework answers then, no handler reads anything
            self.refused = repr(error)
            return None

    def json(self, read):
        try:
            value = read()
        except Exception:  # a handler that does not ask for JSON does not see this
            return
        if isinstance(value, dict):
            for name in NAMES:
                self.found("json", name, value.get(name))
            for path in NESTED:
                first, second = path.split(".")
                if isinstance(value.get(first), dict):
                    self.found("json", path, value[first].get(second))


def bottle_reads(environ, reads):
    import bottle

    request = bottle.BaseRequest(environ)
    for place, parameters in (("query", "query"), ("merged", "forms"), ("merged", "params")):
        values = reads.tried(lambda name=parameters: getattr(request, name))
        for name in NAMES if values is not None else ():
            reads.found(place, name, reads.tried(lambda: values.getall(name)))
            # Twice as applications do it: as text that was decoded, and as an attribute.
            reads.found(place, name, reads.tried(lambda: values.get(name)))
            reads.found(place, name, reads.tried(lambda: values.getunicode(name)))
    reads.json(lambda: request.json)


def flask_reads(environ, reads):
    import flask

    request = flask.Request(environ)
    for place, parameters in (("query", "args"), ("merged", "form"), ("merged", "values")):
        values = reads.tried(lambda name=parameters: getattr(request, name))
        for name in NAMES if values is not None else ():
            reads.found(place, name, values.getlist(name))
            reads.found(place, name, values.get(name))
    reads.json(lambda: request.get_json())
    fresh = flask.Request(environment_again(environ))
    reads.json(lambda: fresh.get_json(force=True))


def webob_reads(environ, reads):
    import webob

    request = webob.Request(environ)
    for place, parameters in (("query", "GET"), ("merged", "POST"), ("merged", "params")):
        values = reads.tried(lambda name=parameters: getattr(request, name))
        for name in NAMES if values is not None else ():
            reads.found(place, name, reads.tried(lambda: values.getall(name)))
            reads.found(place, name, reads.tried(lambda: values.get(name)))
    reads.json(lambda: webob.Request(environment_again(environ)).json_body)


def environment_again(environ):
    environ["wsgi.input"].seek(0)
    kept = {key: value for key, value in environ.items() if not key.startswith(("werkzeug", "webob", "bottle"))}
    return kept


def main():
    read = {"bottle": bottle_reads, "flask": flask_reads, "webob": webob_reads}[FRAMEWORK]
    for line in sys.stdin:
        environ = environment(json.loads(line))
        reads = Reads(environ)
        reads.tried(lambda: read(environ, reads))
        answer = {"methods": reads.methods, "reads": reads.all}
        if reads.refused and not reads.all:
            answer["refused"] = reads.refused
        text = json.dumps(answer, default=repr, ensure_ascii=False) + "\n"
        # Half of a surrogate pair is no JSON to strict readers.
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


main()
