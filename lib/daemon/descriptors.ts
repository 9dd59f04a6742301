import type { Socket } from 'node:net';
import { MosrunError } from '../shared/errors.js';

/** A socket's descriptor: Node shows it nowhere in its public interface, and the kernel tells the peer only by it. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } | null };
  if (!handle || handle.fd < 0) throw new MosrunError('failed', 'the connection is closed');
  return handle.fd;
}
