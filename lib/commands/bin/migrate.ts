import { migrate } from '../migrate.js';
import { runCommand } from '../run.js';

runCommand('migrate', migrate);
