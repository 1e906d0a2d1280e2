/**
 * V8 counts the calls of each function until it has optimized it. For a function that every child calls once, that
 * count is a write to a shared page, which the child has to copy.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

/** Has V8 optimize a function now, by the intrinsics for its own tests. Without them the function stays as it is. */
export function optimize(call: () => unknown): void {
  v8.setFlagsFromString('--allow-natives-syntax');
  try {
    vm.compileFunction(
      '%PrepareFunctionForOptimization(call); call(); call(); %OptimizeFunctionOnNextCall(call); call();',
      ['call'],
    )(call);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  } finally {
    v8.setFlagsFromString('--no-allow-natives-syntax');
  }
}
