import { mosps } from '../mosps.js';
import { runCommand } from '../run.js';

runCommand('mosps', mosps);
