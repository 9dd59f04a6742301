import { mostimeof } from '../mostimeof.js';
import { runCommand } from '../run.js';

runCommand('mostimeof', mostimeof);
