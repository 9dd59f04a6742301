import type { Benchmark } from '../benchmark.js';
import { encryption } from './encryption.js';
import { files, filesOverGigabit } from './files.js';
import { freeze } from './freeze.js';
import { idle } from './idle.js';
import { leaving, leavingLarge } from './leaving.js';
import { live } from './live.js';
import { localCalls } from './local-calls.js';
import { memory, memoryOverGigabit } from './memory.js';
import { nullCall } from './null-call.js';
import { programs, programsFar } from './programs.js';
import { size } from './size.js';
import { start } from './start.js';
import { transfers } from './transfers.js';

export const suite: Benchmark[] = [
  nullCall,
  localCalls,
  freeze,
  live,
  size,
  memory,
  memoryOverGigabit,
  start,
  transfers,
  files,
  filesOverGigabit,
  programs,
  programsFar,
  encryption,
  leaving,
  leavingLarge,
  idle,
];
