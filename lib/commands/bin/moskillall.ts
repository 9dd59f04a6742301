import { moskillall, signalWord } from '../moskillall.js';
import { runCommand } from '../run.js';

runCommand('moskillall', moskillall, signalWord);
