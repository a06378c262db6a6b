// Express with method-override, body-parser, qs and multer: one request a line in, what a handler reads a line out.
// Each request goes over a socket to a real server. Arguments: the name of the Express package, the guarded names.
'use strict';
process.env.NO_DEPRECATION = 'express,body-parser';
const http = require('http');
const net = require('net');
const querystring = require('querystring');
const load = (name) => require(require.resolve(name, { paths: [process.env.MODULES || process.cwd()] }));
const express = load(process.argv[2]);
const methodOverride = load('method-override');
const multer = load('multer');
const names = process.argv[3].split(',');
const nested = process.argv[4].split(',');

let answers = [];
const own = (object, name) => (object !== null && typeof object === 'object' ? object[name] : undefined);

// Any method may be replaced: the README shows how, and POST alone is less than that.
const any = { methods: null };
// The README of method-override, "custom logic".
const fromBody = (req) => {
  if (req.body && typeof req.body === 'object' && '_method' in req.body) {
    const method = req.body._method;
    delete req.body._method;
    return method;
  }
};

const app = express();
app.set('query parser', 'extended');
app.use((req, res, next) => {
  const answer = { methods: [], reads: [] };
  answers[Number(req.headers['x-case'])] = answer;
  req.answer = answer;
  req.note = (source) => answer.methods.push([source, req.method]);
  req.found = (place, name, value) => {
    if (value !== undefined && value !== null) answer.reads.push([place, name, value]);
  };
  const simple = querystring.parse(req.url.split('?').slice(1).join('?'));
  for (const name of names) {
    req.found('query', name, own(req.query, name));
    req.found('query', name, simple[name]);
  }
  next();
});
for (const header of ['X-HTTP-Method', 'X-HTTP-Method-Override', 'X-Method-Override']) {
  app.use(methodOverride(header, any));
}
app.use((req, res, next) => { req.note('header'); next(); });
app.use(methodOverride('_method', any));
app.use((req, res, next) => { req.note('query'); next(); });
app.use(express.json());
app.use(express.urlencoded({ extended: true }));
app.use(multer({ limits: { fieldSize: 1 << 20 } }).any());
app.use((req, res, next) => {
  const body = req.body;
  const json = /json/.test(req.headers['content-type'] || '') ? body : undefined;
  for (const name of names) {
    req.found('merged', name, own(body, name));
    if (req.param) req.found('merged', name, req.param(name));
    req.found('json', name, own(json, name));
  }
  for (const path of nested) {
    const [first, second] = path.split('.');
    req.found('json', path, own(own(json, first), second));
  }
  next();
});
app.use(methodOverride(fromBody, any));
app.use((req, res) => { req.note('body'); res.end(); });
app.use((error, req, res, next) => { req.answer.refused = String(error.message); res.statusCode = 400; res.end(); });

const server = http.createServer({ keepAliveTimeout: 60000, maxHeaderSize: 65536 }, app);

function bytes(request, number) {
  const body = request.body === null ? null : Buffer.from(request.body, 'base64');
  let head = `${request.method} ${request.target} HTTP/1.1\r\nX-Case: ${number}\r\n`;
  for (const [name, value] of request.headers) head += `${name}: ${value}\r\n`;
  return body === null ? [Buffer.from(head + '\r\n', 'latin1')] : [Buffer.from(head + '\r\n', 'latin1'), body];
}

// Sends these over one connection; done when all are answered, or the server has closed it.
function send(requests, first) {
  return new Promise((resolve) => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    let open = true;
    const end = () => { if (open) { open = false; socket.destroy(); resolve(); } };
    let left = requests.length;
    socket.on('data', (data) => {
      for (let at = data.indexOf('HTTP/1.1 '); at >= 0; at = data.indexOf('HTTP/1.1 ', at + 1)) left -= 1;
      if (left <= 0) end();
    });
    socket.setTimeout(2000, end);
    socket.on('close', end);
    socket.on('error', end);
    socket.write(Buffer.concat(requests.flatMap((request, at) => bytes(request, first + at))));
  });
}

// Half of a surrogate pair, as where a message was cut, is no JSON to strict readers.
function wellFormed(json) {
  return json.replace(/\\(?:\\|u(d[89a-f][0-9a-f]{2}))/g, (whole, half) => (half ? '\\ufffd' : whole));
}

async function batch(lines) {
  const requests = lines.map((line) => JSON.parse(line));
  answers = new Array(requests.length);
  await send(requests, 0);
  // A request that the server refuses ends the connection, and takes with it those behind it.
  for (let at = 0; at < requests.length; at += 1) {
    const answer = answers[at];
    if (answer === undefined || (!answer.refused && answer.methods.length < 3)) {
      answers[at] = undefined;
      await send([requests[at]], at);
      if (answers[at] === undefined) answers[at] = { methods: [], reads: [], refused: 'by the HTTP server' };
    }
  }
  process.stdout.write(answers.map((answer) => wellFormed(JSON.stringify(answer)) + '\n').join(''));
}

server.listen(0, '127.0.0.1', async () => {
  let waiting = '';
  for await (const chunk of process.stdin) {
    waiting += chunk.toString('latin1');
    const lines = waiting.split('\n');
    waiting = lines.pop();
    for (let at = 0; at < lines.length; at += 50) await batch(lines.slice(at, at + 50));
  }
  process.exit(0);
});
