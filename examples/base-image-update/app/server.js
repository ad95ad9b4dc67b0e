import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 8080);
const greeting = { message: 'Hello from greeting', baseVersion: process.env.BASE_VERSION ?? 'unknown' };

if (process.argv.includes('--once')) {
  console.log(JSON.stringify(greeting));
} else {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(greeting)}\n`);
  });
  server.listen(port, () => console.log(`greeting on base ${greeting.baseVersion} listens on port ${port}`));
  // The first process of a container gets no default handlers: without these, `docker stop` waits out its grace.
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      server.close(() => process.exit(0));
      server.closeAllConnections();
    });
  }
}
