import type { DigestAlgorithm } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import { putDocument, readDocument } from './documents.ts';
import { oci } from './errors.ts';
import { sessionKey, stagedPrefix } from './layout.ts';
import type { SessionDocument } from './records.ts';
import { Session } from './session.ts';
import { timeOf, type RegistryState } from './state.ts';

/** Whose session it is: others are told that it does not exist. */
export interface SessionOwner {
  readonly repository: RepositoryName;
  /** The principal's name. */
  readonly by: string | undefined;
}

const idPattern = /^[a-z0-9-]{1,64}$/;

/** Upload sessions: in memory, and in the store from the first PATCH on, so that a restart does not lose what arrived. */
export class Sessions {
  readonly #state: RegistryState;
  readonly #open = new Map<string, Session>();
  readonly #loading = new Map<string, Promise<Session | undefined>>();

  constructor(state: RegistryState) {
    this.#state = state;
  }

  async begin({ repository, by }: SessionOwner, algorithm: DigestAlgorithm): Promise<Session> {
    const { clock, storage } = this.#state;
    const id = this.#state.newId();
    const base = { version: 1, id, repository, createdTime: timeOf(this.#state), algorithm } as const;
    const upload = await storage.begin(stagedPrefix + id);
    const kept = { touched: clock.now(), isKept: false };
    const session = new Session(by === undefined ? base : { ...base, by }, upload, kept);
    this.#open.set(id, session);
    return session;
  }

  /**
   * Runs `work` as the only user of a session; throws BLOB_UPLOAD_UNKNOWN when there is no such session of this
   * repository and principal, and 416 when another request holds it.
   */
  async hold<T>(id: string, owner: SessionOwner, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#find(id);
    const { repository, by } = session?.document ?? {};
    if (session === undefined || repository !== owner.repository || by !== owner.by) {
      throw oci('BLOB_UPLOAD_UNKNOWN', 'there is no such upload; begin again');
    }
    if (session.isHeld) throw oci('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', { status: 416 });
    session.isHeld = true;
    try {
      return await work(session);
    } finally {
      session.isHeld = false;
      session.touched = this.#state.clock.now();
      if (this.#open.get(id) === session) await session.upload.release();
    }
  }

  /** Makes a session survive a restart. */
  async keep(session: Session): Promise<void> {
    if (session.isKept) return;
    session.isKept = true;
    await putDocument(this.#state.storage, sessionKey(session.document.id), session.document);
  }

  /** Removes a session, with its bytes unless they were committed. */
  async end(session: Session): Promise<void> {
    const { id } = session.document;
    this.#open.delete(id);
    if (session.isKept) await this.#state.storage.delete(sessionKey(id));
    await session.upload.discard();
  }

  /** Removes sessions that nobody used for too long, and bytes that belong to none; resolves to their number. */
  async removeExpired(): Promise<number> {
    const { storage } = this.#state;
    const old = [...this.#open.values()].filter(({ isHeld, touched }) => !isHeld && this.#isExpired(touched));
    for (const session of old) await this.end(session);
    let removed = old.length;
    for (const staged of await storage.listStaged(stagedPrefix)) {
      const id = staged.id.slice(stagedPrefix.length);
      if (this.#open.has(id) || !this.#isExpired(staged.modifiedAt)) continue;
      await storage.delete(sessionKey(id));
      await (await storage.resume(staged.id))?.discard();
      removed += 1;
    }
    return removed;
  }

  #isExpired(touched: number): boolean {
    return this.#state.clock.now() - touched > this.#state.limits.uploadIdleMs;
  }

  async #find(id: string): Promise<Session | undefined> {
    if (!idPattern.test(id)) return undefined;
    const found = this.#open.get(id);
    if (found !== undefined) return found;
    const pending = this.#loading.get(id) ?? this.#load(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, pending);
    return pending;
  }

  async #load(id: string): Promise<Session | undefined> {
    const { storage, clock, reportDamage } = this.#state;
    const document = await readDocument<SessionDocument>(storage, sessionKey(id), reportDamage);
    const upload = document && (await storage.resume(stagedPrefix + id));
    if (document === undefined || upload === undefined) return undefined;
    const session = new Session(document, upload, { touched: clock.now(), isKept: true });
    this.#open.set(id, session);
    return session;
  }
}
