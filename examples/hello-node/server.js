import { createServer } from 'node:http';
import { hostname } from 'node:os';

const port = Number(process.env.PORT ?? 8080);
const version = process.env.APP_VERSION ?? 'development';

const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
    return;
  }
  const greeting = { message: 'Hello from hello-node', version, host: hostname(), time: new Date().toISOString() };
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(greeting)}\n`);
});

server.listen(port, () => console.log(`hello-node ${version} listens on port ${port}`));

// The first process of a container gets no default handlers: without these, `docker stop` waits out its grace.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
