/** mosd. */
export * from './configuration.js';
export * from './daemon.js';
export { takeServiceSettings } from './service-manager.js';
