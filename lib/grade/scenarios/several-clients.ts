/**
 * Three clients whose times overlap, on one start of the server. Most of the lecture is decided here: A stays, B comes and goes, C
 * comes after B, and each step asks the same questions of /proc.
 */
import type { Client } from '../client.js';
import type { Observed } from '../findings.js';
import { type Grading, NotGradable } from '../grading.js';
import { patiently, settled } from '../patience.js';
import type { Server } from '../server.js';
import { blockedIn, waitsForMany } from '../system/calls.js';
import { handledSignals, isRunning, readText, socketsOf, stat } from '../system/proc.js';
import { tcpSockets } from '../system/tcp.js';

const SIGCHLD = 17;

export async function severalClients(grading: Grading): Promise<void> {
  await grading.withServer({}, server => new SeveralClients(grading, server).run());
}

class SeveralClients {
  readonly #grading: Grading;
  readonly #server: Server;
  readonly #clients: Client[] = [];

  constructor(grading: Grading, server: Server) {
    this.#grading = grading;
    this.#server = server;
  }

  async run(): Promise<void> {
    try {
      const a = await this.#first();
      const b = await this.#second(a);
      if (b === undefined) return;
      if (!(await this.#again(a, b))) return;
      await this.#bEnds(a, b);
    } finally {
      for (const client of this.#clients) client.close();
    }
  }

  #connect(): Client {
    const client = this.#grading.connect(this.#server);
    this.#clients.push(client);
    return client;
  }

  get #processes() {
    return this.#server.processes;
  }

  /** A: one answer, and it stays. A server that closes after each answer has a client instead that does not ask. */
  async #first(): Promise<Client> {
    const grading = this.#grading;
    let a = this.#connect();
    const answered = await grading.asks(this.#server, a, 0, 4000);
    if (!answered) this.#failFirst(a);
    await settled(this.#processes, grading.budget);
    if (a.isOver) {
      grading.isBrief = true;
      a.close();
      a = this.#connect();
      await patiently(() => this.#holders(a).length > 0 || a.isOver, this.#processes, grading.budget);
      await settled(this.#processes, grading.budget);
    }
    this.#learnModel(a);
    return a;
  }

  #failFirst(a: Client): never {
    const server = this.#server;
    this.#grading.takeConduct(server);
    if (a.isOver || !server.isWhole)
      throw new NotGradable(
        a.text === ''
          ? 'the first client got no answer: the connection was closed'
          : `the first client was answered ${JSON.stringify(a.text.slice(0, 80))}, which is not what the protocol asks for`,
      );
    if (a.text !== '')
      throw new NotGradable(
        `the first client was answered ${JSON.stringify(a.text.slice(0, 80))}, which is not what the protocol asks for`,
      );
    this.#grading.conduct.add('hangs');
    throw new NotGradable('it listens, but the first client gets no answer');
  }

  #holders(client: Client): number[] {
    return this.#server.holdersOf(this.#server.connectionOf(client)?.inode ?? 0);
  }

  /** Of the processes that have A's connection: children that were forked for it, or the accepting process itself? */
  #learnModel(a: Client): void {
    const grading = this.#grading;
    const server = this.#server;
    const holders = this.#holders(a);
    const children = holders.filter(pid => !server.idle.has(pid));
    grading.forksForClients = children.length > 0 || server.younger().length > 0;
    if (grading.forksForClients) grading.model = 'forking';
    else if (server.acceptors.length > 1) grading.model = 'prefork';
    else {
      const acceptor = server.acceptors[0] ?? 0;
      const idleCall = server.idle.get(acceptor)?.call;
      grading.model = waitsForMany(idleCall) ? 'select' : threadsOf(acceptor) > 1 ? 'threads' : 'iterative';
    }
  }

  /** B comes while A stays. Undefined when it is not served. */
  async #second(a: Client): Promise<Client | undefined> {
    const grading = this.#grading;
    const server = this.#server;
    const b = this.#connect();
    if (await grading.asks(server, b, 2)) {
      grading.pass('serial');
      await settled(this.#processes, grading.budget);
      this.#rememberDescriptors(a, b);
      this.#lookForListener();
      return b;
    }
    grading.takeConduct(server);
    const listens = tcpSockets(server.port).some(({ state }) => state === 'LISTEN');
    const why = server.isWhole && listens ? this.#whyNotServed(a) : undefined;
    a.finish();
    const later = !b.isOver && (await grading.isAnswered(server, b, 2));
    if (!later) await patiently(() => !server.isWhole, this.#processes, grading.budget, { ms: 500 });
    if (later || (server.isWhole && why !== undefined)) this.#observe(why ?? this.#serial());
    else
      this.#observe({
        id: 'one-shot',
        evidence: server.isWhole
          ? `the second client was ${b.end === 'open' ? 'never accepted' : b.end}, also after the first had gone`
          : `the server ended with its first client; the second was ${b.end}`,
      });
    return undefined;
  }

  #observe(observed: Observed): void {
    this.#grading.observe(observed);
  }

  #serial(): Observed {
    return { id: 'serial', evidence: 'the second client is served when the first has gone' };
  }

  /** What the accepting process does instead of serving B. */
  #whyNotServed(a: Client): Observed | undefined {
    const server = this.#server;
    const holders = this.#holders(a);
    const child = holders.find(pid => !server.idle.has(pid)) ?? server.younger()[0]?.pid;
    for (const pid of server.acceptors) {
      const now = blockedIn(pid);
      const call = now?.call ?? 'no system call: it runs';
      if (child !== undefined)
        return {
          id: 'blocking-wait',
          evidence: `process ${pid} is blocked in ${call === 'wait' ? 'wait4()' : call} while its child ${child} serves the first client; the second gets no answer`,
        };
      const idleCall = server.idle.get(pid)?.call;
      const oneAlone = now?.call === 'poll' && now.args[1] === 1 && idleCall !== 'poll';
      if (waitsForMany(idleCall) && (now === undefined || waitsForMany(now.call)) && !oneAlone)
        return {
          id: 'select-set',
          evidence: `process ${pid} is in ${call}, and a second client that has connected and sent is not noticed (${this.#unread()})`,
        };
    }
    const [holder = server.acceptors[0]] = holders;
    return {
      id: 'serial',
      evidence: `process ${holder} is in ${blockedIn(holder ?? 0)?.call ?? 'a call'} for the first client; the second gets no answer until that has gone`,
    };
  }

  #unread(): string {
    const sockets = tcpSockets(this.#server.port);
    const waiting = sockets.filter(({ state, unread }) => state === 'LISTEN' && unread > 0).length;
    const unread = sockets.filter(({ state, unread }) => state === 'ESTABLISHED' && unread > 0).length;
    return `connections not accepted: ${waiting}, not read: ${unread}`;
  }

  #rememberDescriptors(...clients: Client[]): void {
    const server = this.#server;
    const [acceptor] = server.acceptors;
    if (acceptor === undefined || server.acceptors.length > 1) return;
    const sockets = socketsOf(acceptor);
    const listener = Math.max(...[...server.listeners].map(inode => sockets.get(inode) ?? -1));
    const connections = clients.map(client => sockets.get(server.connectionOf(client)?.inode ?? 0) ?? -1);
    this.#grading.descriptors = { listener, highest: Math.max(listener + 1, ...connections) };
  }

  #listenersInChildren: [pid: number, fd: number][] = [];

  /** Children that were born after accept() hold the listening socket, though everything has come to rest. */
  #lookForListener(): void {
    const server = this.#server;
    this.#listenersInChildren = server.younger().flatMap(({ pid }) => {
      const found = [...socketsOf(pid)].find(([inode]) => server.listeners.has(inode));
      return found === undefined ? [] : [[pid, found[1]]];
    });
  }

  /** Both ask once more, and a third comes: select() must still wait for all of them. */
  async #again(a: Client, b: Client): Promise<boolean> {
    const grading = this.#grading;
    if (grading.isBrief || grading.forksForClients || grading.model !== 'select') {
      grading.pass('select-set');
      return true;
    }
    const turns: [() => Client, number][] = [
      [() => a, 3],
      [() => this.#connect(), 4],
      [() => b, 5],
      [() => a, 6],
    ];
    for (const [clientOf, n] of turns) {
      const client = clientOf();
      if ((await grading.asks(this.#server, client, n)) || client.isOver) continue;
      grading.takeConduct(this.#server);
      if (!this.#server.isWhole) continue;
      const [acceptor = 0] = this.#server.acceptors;
      this.#observe({
        id: 'select-set',
        evidence: `process ${acceptor} is in ${blockedIn(acceptor)?.call ?? 'a loop'}, and does not notice a client that it has served before (${this.#unread()})`,
      });
      return false;
    }
    grading.pass('select-set');
    return true;
  }

  /** B goes. Its connection must be closed everywhere, and its child must end. */
  async #bEnds(a: Client, b: Client): Promise<void> {
    const grading = this.#grading;
    const server = this.#server;
    const inode = server.connectionOf(b)?.inode ?? 0;
    const ofB = server.holdersOf(inode).filter(pid => !server.idle.has(pid));
    const handlesSigchld = server.acceptors.some(pid => handledSignals(pid).has(SIGCHLD));
    b.finish();
    await patiently(() => b.isOver, this.#processes, grading.budget);
    const ended = await patiently(() => !ofB.some(isRunning), this.#processes, grading.budget);
    this.#judgeListeners(ended ? [] : ofB.filter(isRunning));
    await this.#judgeLeak(b, inode);
    const c = await this.#third(a, ofB, handlesSigchld);
    if (c !== undefined) await this.#judgeChildren([a, c], ofB, handlesSigchld);
  }

  async #judgeLeak(b: Client, inode: number): Promise<void> {
    const server = this.#server;
    const keepers = () => server.holdersOf(inode).filter(pid => server.idle.has(pid));
    await patiently(() => keepers().length === 0, this.#processes, this.#grading.budget);
    const [keeper] = keepers();
    if (keeper === undefined) {
      this.#grading.pass('connfd-leak');
      return;
    }
    // A server that waits for its child closes the connection afterwards: the wait is the mistake.
    if (blockedIn(keeper)?.call === 'wait' && server.idle.get(keeper)?.call !== 'wait') return;
    const sees = b.isOver ? '' : ', and that sees no end of the connection';
    this.#observe({
      id: 'connfd-leak',
      evidence: `process ${keeper} still has descriptor ${socketsOf(keeper).get(inode)} of a client that has gone${sees}`,
    });
  }

  /** A child that lives on when its client has gone, and waits with the listening socket, is in the loop of the parent. */
  #judgeListeners(strays: readonly number[]): void {
    const grading = this.#grading;
    const server = this.#server;
    const fallen = strays.find(
      pid =>
        server.holdsListener(pid) &&
        ['accept', 'select', 'poll', 'epoll'].includes(blockedIn(pid)?.call ?? 'accept'),
    );
    if (fallen !== undefined) {
      this.#observe({
        id: 'child-falls-through',
        evidence: `process ${fallen} was forked for a client that has gone, and is in ${blockedIn(fallen)?.call ?? 'a loop'}() with the listening socket`,
      });
      return;
    }
    grading.pass('child-falls-through');
    const [child] = this.#listenersInChildren;
    if (child === undefined) grading.pass('listenfd-in-child');
    else
      this.#observe({
        id: 'listenfd-in-child',
        evidence: `process ${child[0]}, born after accept(), has the listening socket as descriptor ${child[1]} while it serves`,
      });
  }

  /** C comes after B has ended and while A stays: the end of B's child must not have hurt the server. */
  async #third(a: Client, ofB: readonly number[], handlesSigchld: boolean): Promise<Client | undefined> {
    const grading = this.#grading;
    const c = this.#connect();
    if (await grading.asks(this.#server, c, 7)) {
      grading.pass('blocking-wait');
      return c;
    }
    this.#judgeLost(c, a, ofB, handlesSigchld);
    return undefined;
  }

  /** Why is a client not served that came after another had gone? */
  #judgeLost(c: Client, a: Client, ofB: readonly number[], handlesSigchld: boolean): void {
    const grading = this.#grading;
    const server = this.#server;
    const [acceptor = 0] = server.acceptors;
    grading.takeConduct(server);
    const waits = server.isWhole && blockedIn(acceptor)?.call === 'wait';
    if (ofB.length > 0 && waits && !a.isOver)
      this.#observe({
        id: 'blocking-wait',
        evidence: `process ${acceptor} is blocked in wait4() though only one of its two children has ended; the next client gets no answer`,
      });
    else if (ofB.length > 0 && handlesSigchld)
      this.#observe({
        id: 'eintr-accept',
        evidence: server.isWhole
          ? `process ${acceptor} handles SIGCHLD, and accepts no client after a child has ended`
          : `process ${acceptor} handles SIGCHLD, and ended when a child had ended; the next client was ${c.end}`,
      });
    else if (!server.isWhole)
      this.#observe({
        id: 'one-shot',
        evidence: `the server ended after a client had gone; the next was ${c.end}`,
      });
    else {
      const why = this.#whyNotServed(a);
      if (why !== undefined) this.#observe(why);
    }
  }

  /** All go. Who is waited for? And does a server without clients fork? */
  async #judgeChildren(
    last: readonly Client[],
    ofB: readonly number[],
    handlesSigchld: boolean,
  ): Promise<void> {
    const grading = this.#grading;
    const zombies = () => ofB.filter(pid => stat(pid)?.state === 'Z');
    for (const client of last) client.finish();
    await patiently(() => zombies().length === 0, this.#processes, grading.budget);
    await settled(this.#processes, grading.budget);
    // Some servers wait for ended children at the next accept().
    const d = this.#connect();
    if (await grading.asks(this.#server, d, 8)) grading.pass('one-shot');
    else {
      this.#judgeLost(d, last[0]!, ofB, handlesSigchld);
      return;
    }
    d.finish();
    await patiently(() => zombies().length === 0, this.#processes, grading.budget);
    const [zombie] = zombies();
    if (zombie !== undefined)
      this.#observe({
        id: 'zombies',
        evidence: `child ${zombie} of process ${stat(zombie)?.parent} has ended, and is a zombie still when another client has been served`,
      });
    else if (!grading.has('child-falls-through')) grading.pass('zombies');
    await this.#judgeIdleForks();
  }

  /** Without a client, children come and go: the end of each interrupts accept(), and the next is forked for -1. */
  async #judgeIdleForks(): Promise<void> {
    const grading = this.#grading;
    const server = this.#server;
    if (grading.has('child-falls-through')) return;
    if (grading.forksForClients) await settled(this.#processes, grading.budget);
    const faults = () => server.acceptors.reduce((sum, pid) => sum + (stat(pid)?.childFaults ?? 0), 0);
    const before = faults();
    const newcomers = new Set<number>();
    const look = () => {
      for (const { pid } of server.younger()) newcomers.add(pid);
      return false as const;
    };
    if (grading.forksForClients) await patiently(look, this.#processes, grading.budget, { ms: 200 });
    if (faults() - before > 200 || newcomers.size > 8)
      this.#observe({
        id: 'eintr-accept',
        evidence: `process ${server.acceptors[0]} goes on forking children that end at once, though there is no client`,
      });
    else if (server.isWhole) grading.pass('eintr-accept', 'fork-bomb');
  }
}

/** How many threads a process has. */
function threadsOf(pid: number): number {
  return Number(/^Threads:\s*(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 1);
}
