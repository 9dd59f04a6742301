import { mosd } from '../mosd.js';
import { runCommand } from '../run.js';

runCommand('mosd', mosd);
