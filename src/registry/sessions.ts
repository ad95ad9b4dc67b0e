import type { DigestAlgorithm } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import { putDocument, readDocument } from './documents.ts';
import { oci } from './errors.ts';
import { sessionKey, sessionLockKey, stagedPrefix, stagedSnapshotPrefix } from './layout.ts';
import type { SessionDocument } from './records.ts';
import { Session } from './session.ts';
import { settleAll } from './settle.ts';
import { timeOf, type RegistryState } from './state.ts';
import { uploadIsHeld, withUploadLock } from './upload-lock.ts';

/** Whose session it is: others are told that it does not exist. */
export interface SessionOwner {
  readonly repository: RepositoryName;
  /** The principal's name. */
  readonly by: string | undefined;
}

/** Uploads in memory; of more, the oldest are read from the store again, or begun again where nothing arrived. */
const mostOpen = 20_000;

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
    const { clock, ledger } = this.#state;
    const id = this.#state.newId();
    const base = { version: 1, id, repository, createdTime: timeOf(this.#state), algorithm } as const;
    const session = this.#sessionOf(by === undefined ? base : { ...base, by }, { touched: clock.now(), isKept: false });
    this.#dropOldest();
    this.#open.set(id, session);
    if (ledger.isShared) {
      await settleAll([this.keep(session), session.upload()]); // the next request may reach another process
      await session.release();
    }
    return session;
  }

  /**
   * Runs `work` as the only user of a session; throws BLOB_UPLOAD_UNKNOWN when there is no such session of this
   * repository and principal, and 416 when another request holds it.
   */
  async hold<T>(id: string, owner: SessionOwner, work: (session: Session) => Promise<T>): Promise<T> {
    if (!this.#state.ledger.isShared || !idPattern.test(id)) return this.#holdHere(id, owner, work);
    if (this.#open.get(id)?.isHeld === true) throw uploadIsHeld();
    return withUploadLock(this.#state, id, () => this.#holdHere(id, owner, work));
  }

  async #holdHere<T>(id: string, owner: SessionOwner, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#find(id);
    const { repository, by } = session?.document ?? {};
    if (session === undefined || repository !== owner.repository || by !== owner.by) {
      throw oci('BLOB_UPLOAD_UNKNOWN', 'there is no such upload; begin again');
    }
    if (session.isHeld) throw uploadIsHeld();
    session.isHeld = true;
    try {
      return await work(session);
    } finally {
      session.isHeld = false;
      session.touched = this.#state.clock.now();
      await session.release();
    }
  }

  #dropOldest(): void {
    if (this.#open.size < mostOpen) return;
    for (const [id, { isHeld }] of this.#open) {
      if (isHeld) continue;
      this.#open.delete(id);
      return;
    }
  }

  /** Makes a session survive a restart. */
  async keep(session: Session): Promise<void> {
    if (session.isKept) return;
    await putDocument(this.#state.storage, sessionKey(session.document.id), session.document);
    session.isKept = true;
  }

  /** Removes a session, with its bytes unless they were committed. */
  async end(session: Session): Promise<void> {
    const { id } = session.document;
    this.#open.delete(id);
    if (session.isKept) await this.#state.storage.delete(sessionKey(id));
    await session.discard();
  }

  /** Removes sessions that nobody used for too long, and bytes that belong to none; resolves to their number. */
  async removeExpired(): Promise<number> {
    const { storage, ledger } = this.#state;
    const old = [...this.#open.values()].filter(({ isHeld, touched }) => !isHeld && this.#isExpired(touched));
    let removed = 0;
    for (const session of old) {
      if (session.isHeld || !this.#isExpired(session.touched)) continue; // somebody has come back to it meanwhile
      if (ledger.isShared) {
        this.#open.delete(session.document.id); // another process may use it: its bytes tell when it was used last
      } else {
        await this.end(session);
        removed += 1;
      }
    }
    for (const staged of await storage.listStaged(stagedPrefix)) {
      const id = staged.id.slice(stagedPrefix.length);
      if (this.#open.has(id) || !this.#isExpired(staged.modifiedAt)) continue;
      await storage.delete(sessionKey(id));
      if (ledger.isShared) await storage.delete(sessionLockKey(id));
      await (await storage.resume(staged.id))?.discard();
      removed += 1;
    }
    await this.#removeLeftSnapshots();
    return removed;
  }

  /** What a crash left of a snapshot that was being written. */
  async #removeLeftSnapshots(): Promise<void> {
    const { storage } = this.#state;
    for (const { id, modifiedAt } of await storage.listStaged(stagedSnapshotPrefix)) {
      if (this.#isExpired(modifiedAt)) await (await storage.resume(id))?.discard();
    }
  }

  #isExpired(touched: number): boolean {
    return this.#state.clock.now() - touched > this.#state.limits.uploadIdleMs;
  }

  async #find(id: string): Promise<Session | undefined> {
    if (!idPattern.test(id)) return undefined;
    const found = this.#open.get(id);
    if (found !== undefined) return this.#state.ledger.isShared ? this.#renew(found) : found;
    const pending = this.#loading.get(id) ?? this.#load(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, pending);
    return pending;
  }

  /** Another process may have added bytes to an upload, or ended it. */
  async #renew(session: Session): Promise<Session | undefined> {
    if (session.isHeld) return session;
    const { id } = session.document;
    const upload = await this.#state.storage.resume(stagedPrefix + id);
    if (upload === undefined) this.#open.delete(id);
    else session.resumeUnlessHeld(upload);
    return upload && session;
  }

  async #load(id: string): Promise<Session | undefined> {
    const { storage, clock, reportDamage } = this.#state;
    const document = await readDocument<SessionDocument>(storage, sessionKey(id), reportDamage);
    const upload = document && (await storage.resume(stagedPrefix + id));
    if (document === undefined || upload === undefined) return undefined;
    const session = this.#sessionOf(document, { touched: clock.now(), isKept: true });
    session.resume(upload);
    this.#dropOldest();
    this.#open.set(id, session);
    return session;
  }

  #sessionOf(document: SessionDocument, kept: { touched: number; isKept: boolean }): Session {
    return new Session(document, () => this.#state.storage.begin(stagedPrefix + document.id), kept);
  }
}
