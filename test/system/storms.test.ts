/** More of the same: programs of several processes, of other languages and at terminals, each process moved ten times a second. */
import { movePrograms } from './program-storms.js';
import { stormed } from './programs.js';

movePrograms('programs in a storm of moves', stormed);
