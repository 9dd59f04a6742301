/** Partners: other clusters that this one knows, each by a file that says who they are and what they may. */
import { X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';
import * as z from 'zod';
import { PUBLIC_PREFIX } from './names.js';
import { nodeName } from './node-list.js';

const DEFAULT_PORT = 7070;

/** Lower is better; 0 is the own cluster's, and 65535 that of clusters that nobody has configured. */
export const BEST_PARTNER_PRIORITY = 1;
export const WORST_PARTNER_PRIORITY = 65_534;
export const OWN_PRIORITY = 0;
export const PUBLIC_PRIORITY = 65_535;
export const DEFAULT_PARTNER_PRIORITY = 100;

export const partnerPriority = z.int().min(BEST_PARTNER_PRIORITY).max(WORST_PARTNER_PRIORITY);

export const partnerName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, 'a name is wanted: letters, digits, dots and dashes, 63 at most')
  .refine((name) => !name.startsWith(PUBLIC_PREFIX), `names that begin with ${PUBLIC_PREFIX} are for clusters without a file`);

/** Where to knock: an IPv4 address, and a port where it is not the usual one. */
const knock = z
  .string()
  .refine((text) => {
    const [, address = '', port = `${DEFAULT_PORT}`] = /^([0-9.]+)(?::([0-9]+))?$/.exec(text) ?? [];
    return isIPv4(address) && Number(port) >= 1 && Number(port) <= 65_535;
  }, 'an IPv4 address is wanted, with a port if it is not 7070: "192.0.2.1" or "192.0.2.1:7080"')
  .transform((text) => {
    const [address = '', port = `${DEFAULT_PORT}`] = text.split(':');
    return { address, port: Number(port) };
  });

const MOST_KNOCKS = 64;

/** Of a partner's file. */
export const partnerFile = z
  .strictObject({
    description: z.string().max(200).default(''),
    priority: partnerPriority.default(DEFAULT_PARTNER_PRIORITY),
    may_come: z.boolean().default(true),
    may_be_sent_to: z.boolean().default(true),
    may_pass_on: z.boolean().default(true),
    privileged: z.boolean().default(false),
    nodes: z.array(knock).min(1).max(MOST_KNOCKS),
    ca: z.string().optional(),
    ca_file: z.string().min(1).optional(),
  })
  .superRefine(({ ca, ca_file }, context) => {
    if ((ca === undefined) === (ca_file === undefined)) {
      const message = 'the certificate of its authority is wanted, in ca or in the file that ca_file names; in one of them';
      context.addIssue({ code: 'custom', path: [ca === undefined ? 'ca_file' : 'ca'], message });
    }
  });

export interface Partner extends Omit<z.output<typeof partnerFile>, 'ca' | 'ca_file'> {
  /** As this cluster calls it: the name of its file. */
  name: string;
  /** Certificate of its authority, PEM. */
  ca: string;
}

/** What is wrong with a certificate as that of a cluster's authority; null: nothing. */
export function whyNoAuthority(pem: string): string | null {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'it is no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----';
  }
  if (!certificate.ca || !certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey))
    return "it is no authority's certificate: that of mosconf partner export is wanted";
  if (certificate.publicKey.asymmetricKeyType !== 'ed25519') return 'its key is not Ed25519, as those of mosrun are';
  return null;
}

/** The nodes of a cluster, as one of them tells a partner. */
export const introduction = z.object({
  cluster: z.string().max(200),
  nodes: z
    .array(
      z.object({
        name: nodeName,
        number: z.int().min(1).max(65_535),
        address: z.ipv4(),
        control_port: z.int().min(1).max(65_535),
        data_port: z.int().min(1).max(65_535),
      }),
    )
    .max(10_000),
});
export type Introduction = z.infer<typeof introduction>;
