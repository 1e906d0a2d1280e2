/** The namespace of a module, as far as anything is known of it. */
export interface Namespace {
  default?: unknown;
  [name: string]: unknown;
}

/**
 * The module as its author wrote it. A CommonJS module that was compiled from an ES module says so by `__esModule`, and
 * Node's import() has all of its exports, the default one among them, as its default export.
 */
export function withoutInterop(module: Namespace): Namespace {
  const inner = module.default as (Namespace & { __esModule?: boolean }) | null | undefined;
  return inner?.__esModule && inner.default !== undefined ? inner : module;
}
