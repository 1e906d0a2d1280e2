// Which room of lib/ may import which: each only from those below it, and none in a circle. Types count as values do.
// `npm run lint` holds it. The README.md of each room says the same in words.

/** From the top to the bottom. Each line: a room, and the rooms that it may import. */
const rooms = {
  cli: [
    'doctor',
    'grade',
    'build',
    'owner',
    'trace',
    'script',
    'posix',
    'fork',
    'wire',
    'options',
    'binding',
    'errors',
  ],
  doctor: ['owner', 'script', 'child', 'posix', 'fork', 'options', 'binding', 'errors'],
  build: ['binding', 'errors'],
  grade: ['trace', 'binding', 'errors'],
  trace: ['binding', 'errors'],
  owner: ['fork', 'wire', 'options', 'binding', 'errors'],
  zygote: ['serving', 'child', 'fork', 'wire', 'binding', 'errors'],
  'single-process': ['serving', 'child', 'fork', 'wire', 'binding', 'errors'],
  serving: ['script', 'child', 'fork', 'wire', 'options', 'binding', 'errors'],
  script: ['wire', 'errors'],
  child: ['fork', 'binding', 'errors'],
  posix: ['fork', 'binding', 'errors'],
  fork: ['binding', 'errors'],
  wire: ['options', 'binding', 'errors'],
  options: ['errors'],
  binding: ['errors'],
};

const inRoom = room => (room === 'errors' ? '^lib/errors\\.ts$' : `^lib/${room}/`);

export default {
  forbidden: [
    {
      name: 'no circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `lib/${room} imports only rooms below it`,
      severity: 'error',
      from: { path: inRoom(room) },
      to: { path: '^lib/', pathNot: [room, ...below].map(inRoom) },
    })),
    {
      name: 'errors.ts imports nothing',
      severity: 'error',
      from: { path: '^lib/errors\\.ts$' },
      to: { path: '.*' },
    },
    {
      name: 'every file is in a room, or an entry point',
      severity: 'error',
      from: {
        path: '^lib/',
        pathNot: [...Object.keys(rooms).map(inRoom), '^lib/(index|auto|define-config|errors)\\.ts$'],
      },
      to: { path: '.*' },
    },
    {
      name: 'an entry point is imported by no room',
      severity: 'error',
      from: { path: Object.keys(rooms).map(inRoom) },
      to: { path: '^lib/(index|auto|define-config)\\.ts$' },
    },
    {
      name: 'no dependency at run time',
      comment: 'types are; esbuild is an optional peer, found by require() when it is needed',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        dependencyTypesNot: ['type-only', 'type-import'],
        dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'npm-unknown'],
      },
    },
    {
      name: 'every import is found',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['node', 'import'] },
  },
};
