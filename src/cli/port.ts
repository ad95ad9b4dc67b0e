import { connect } from 'node:net';

/** Whether something answers on a port of this machine. Never rejects. */
export function isPortTaken({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  const isWildcard = host === '0.0.0.0' || host === '::';
  return new Promise((resolve) => {
    const socket = connect({ host: isWildcard ? '127.0.0.1' : host, port });
    const end = (isTaken: boolean) => () => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.setTimeout(1000, end(false));
    socket.on('connect', end(true)).on('error', end(false));
  });
}
