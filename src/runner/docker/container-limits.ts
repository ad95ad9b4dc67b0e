/**
 * Rights of the engine's usual set that no step needs: raw packets (to pose as others on its network) and device files. The rest stays:
 * package managers change owners and set capabilities of files, servers bind low ports and change their user, sudo writes to the audit log.
 */
export const droppedRights: readonly string[] = ['MKNOD', 'NET_RAW'];

/** The engine's own log of a container is for an operator who looks at it, and for taking up its output again; ours is the log. */
export const logging = { Type: 'local', Config: { 'max-size': '16m', 'max-file': '2', compress: 'false' } };
