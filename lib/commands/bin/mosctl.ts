import { mosctl } from '../mosctl.js';
import { runCommand } from '../run.js';

runCommand('mosctl', mosctl);
