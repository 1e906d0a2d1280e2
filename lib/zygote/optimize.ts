/**
 * V8 counts the calls of each function, and its age, until it has optimized it. For a function that every child calls
 * once, those counts are nothing but memory to copy.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

/** Has V8 optimize a function now, by what V8 and Node have for their own tests; without that, it stays as it is. */
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
