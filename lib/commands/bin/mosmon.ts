import { mosmon } from '../mosmon.js';
import { runCommand } from '../run.js';

runCommand('mosmon', mosmon);
