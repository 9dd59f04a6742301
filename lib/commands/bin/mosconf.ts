import { mosconf } from '../mosconf.js';
import { runCommand } from '../run.js';

runCommand('mosconf', mosconf);
