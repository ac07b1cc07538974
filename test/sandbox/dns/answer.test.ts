// The sandbox's DNS ends every question, also about zones that hold next to nothing.
import { expect, it } from 'vitest';
import { answerQuestion, fixedZone } from './answer.ts';

it.each([
  ['its top', 'empty.example', 'NOERROR'],
  ['a name in it', 'a.b.empty.example', 'NXDOMAIN'],
  ['a name above it', 'example', 'NOERROR'],
  ['a name elsewhere', 'other.example', 'REFUSED'],
])('a zone without records answers for %s', (_, name, code) => {
  const zones = [fixedZone('empty.example.', [])];
  expect(answerQuestion({ name, type: 'TXT' }, zones)).toMatchObject({ code, answers: [] });
});

it('a wildcard stands for names that are not there', () => {
  const zone = fixedZone('example.', [{ name: '*.wild.example.', type: 'A', data: '192.0.2.1' }]);
  expect(answerQuestion({ name: 'x.wild.example', type: 'A' }, [zone]).answers).toHaveLength(1);
  expect(answerQuestion({ name: 'x.tame.example', type: 'A' }, [zone]).code).toBe('NXDOMAIN');
});
