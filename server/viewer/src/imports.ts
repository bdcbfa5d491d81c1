/** Imports: uploads of this page and jobs of the whole city, followed until they end. */
import { api, ApiError, problemToError } from "./data/api";
import type { Job } from "./data/types";
import type { Live } from "./live";
import { Signal } from "./signal";

export interface ImportOptions {
  layer?: string;
  title?: string;
  crs?: string;
  anchor?: string;
}

/** One row of the imports panel: an upload under way, a job, or first one and then the other. */
export interface ImportEntry {
  key: string;
  filename: string;
  bytes: number | null;
  /** Started from this page: its layer is shown when it is done. */
  own: boolean;
  /** 0–1 while the file is on its way, `null` before and after. */
  upload: number | null;
  job: Job | null;
  error: ApiError | null;
  cancelled: boolean;
}

export function isActive(entry: ImportEntry): boolean {
  if (entry.error || entry.cancelled) return false;
  return entry.job === null || entry.job.status === "accepted" || entry.job.status === "running";
}

/** Asks again when the live channel has said nothing about an active job for this long. */
const SILENCE = 5_000;

export class Imports {
  readonly entries: ImportEntry[] = [];
  readonly changed = new Signal();
  /** An import of this page ended well. */
  readonly finished = new Signal<ImportEntry>();
  private readonly requests = new Map<string, XMLHttpRequest>();
  private heard = 0;
  private serial = 0;

  constructor(live: Live) {
    live.job.on((job) => {
      this.heard = performance.now();
      this.merge(job);
    });
    live.resumed.on(() => void this.refresh());
    setInterval(() => {
      const waiting = this.entries.some((entry) => entry.job && isActive(entry));
      if (waiting && performance.now() - this.heard > SILENCE) void this.refresh();
    }, SILENCE);
  }

  /** Reads the list of recent jobs. */
  async refresh(): Promise<void> {
    this.heard = performance.now();
    try {
      for (const job of (await api.jobs()).reverse()) if (job.type === "import") this.merge(job);
    } catch {
      // The live badge already says that the server cannot be reached.
    }
  }

  start(file: File, options: ImportOptions = {}): ImportEntry {
    const entry: ImportEntry = {
      key: `upload-${++this.serial}`,
      filename: file.name,
      bytes: file.size,
      own: true,
      upload: 0,
      job: null,
      error: null,
      cancelled: false,
    };
    this.entries.unshift(entry);
    this.changed.emit();

    const query = new URLSearchParams({ filename: file.name });
    for (const [name, value] of Object.entries(options)) if (value) query.set(name, value);
    const request = new XMLHttpRequest();
    this.requests.set(entry.key, request);
    request.open("POST", `/imports?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) entry.upload = event.loaded / event.total;
      this.changed.emit();
    };
    request.onload = () => {
      entry.upload = null;
      if (request.status >= 200 && request.status < 300)
        this.attach(entry, JSON.parse(request.responseText) as Job);
      else entry.error = problemToError(request.status, request.responseText);
      this.changed.emit();
    };
    request.onerror = () => {
      entry.upload = null;
      entry.error = new ApiError(0, "");
      this.changed.emit();
    };
    request.onloadend = () => this.requests.delete(entry.key);
    request.send(file);
    return entry;
  }

  async cancel(entry: ImportEntry): Promise<void> {
    if (entry.job) {
      try {
        await api.cancelJob(entry.job.jobID);
      } catch (error) {
        if (error instanceof ApiError && error.status === 0) throw error;
      }
      this.merge(await api.job(entry.job.jobID));
      return;
    }
    this.requests.get(entry.key)?.abort();
    entry.cancelled = true;
    this.changed.emit();
  }

  /** Ties an upload to its job, which the live channel may have announced before. */
  private attach(entry: ImportEntry, job: Job): void {
    const twin = this.entries.find((other) => other !== entry && other.job?.jobID === job.jobID);
    if (twin) this.entries.splice(this.entries.indexOf(twin), 1);
    entry.job = twin?.job ?? job;
    if (!isActive(entry)) this.end(entry);
    // What happened between the answer and now may have been said before we listened.
    else
      void api.job(job.jobID).then(
        (latest) => this.merge(latest),
        () => undefined,
      );
  }

  private merge(job: Job): void {
    const entry = this.entries.find((other) => other.job?.jobID === job.jobID);
    if (!entry) {
      this.entries.unshift({
        key: job.jobID,
        filename: job.filename ?? job.jobID,
        bytes: null,
        own: false,
        upload: null,
        job,
        error: null,
        cancelled: false,
      });
    } else {
      const active = isActive(entry);
      if (!active && (job.status === "accepted" || job.status === "running")) return; // late news
      entry.job = job;
      if (active && !isActive(entry)) this.end(entry);
    }
    this.changed.emit();
  }

  private end(entry: ImportEntry): void {
    if (entry.own && entry.job?.status === "successful") this.finished.emit(entry);
  }
}
