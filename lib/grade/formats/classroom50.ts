/** Classroom 50's result.json, schema classroom50/result/v1. What its runner knows comes from the environment. */
import type { Report } from '../grade.js';
import { checksOf, scoreOf } from './checks.js';

export function classroom50(report: Report): string {
  const checks = checksOf(report);
  const { score, max } = scoreOf(checks);
  const env = (name: string) => process.env[name] ?? '';
  const result = {
    schema: 'classroom50/result/v1',
    classroom: env('CLASSROOM'),
    assignment: env('ASSIGNMENT'),
    submission: env('SUBMISSION_TAG'),
    commit: env('COMMIT_URL'),
    release: env('RELEASE_URL'),
    review: env('REVIEW_URL') || env('COMMIT_URL'),
    datetime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    score,
    'max-score': max,
    tests: checks.map(({ id, outcome, points, maxPoints }) => ({
      'test-name': id,
      passed: outcome !== 'failed',
      score: points,
      'max-score': maxPoints,
    })),
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
