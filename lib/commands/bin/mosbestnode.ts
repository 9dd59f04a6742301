import { mosbestnode } from '../mosbestnode.js';
import { runCommand } from '../run.js';

runCommand('mosbestnode', mosbestnode);
