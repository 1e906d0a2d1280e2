/** What `truefork doctor` has found out about one thing. */
export interface Finding {
  name: string;
  /** A warning is something to know; only a failure keeps truefork from running. */
  verdict: 'ok' | 'warning' | 'failure';
  found: string;
  /** What to do, unless all is well. */
  advice?: string;
}

export function ok(name: string, found: string): Finding {
  return { name, verdict: 'ok', found };
}

export function warning(name: string, found: string, advice: string): Finding {
  return { name, verdict: 'warning', found, advice };
}

export function failure(name: string, found: string, advice: string): Finding {
  return { name, verdict: 'failure', found, advice };
}
