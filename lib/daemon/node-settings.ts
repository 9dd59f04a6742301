/** What root has told this node by mosctl. It outlasts the daemon and a reboot. */
import * as z from 'zod';
import { partnerPriority } from '../cluster/index.js';
import { readJson, writeAtomically } from '../shared/files.js';

const settings = z.object({
  version: z.literal(1),
  /** Takes no guests. */
  blocked: z.boolean().default(false),
  /** No process leaves by itself: neither own ones nor guests. */
  stay: z.boolean().default(false),
  /** Own processes do not leave by themselves. */
  local_stay: z.boolean().default(false),
  /** Takes no guests of other clusters. */
  grid_closed: z.boolean().default(false),
  /** Takes no guests of other clusters, and sends nobody there. */
  isolated: z.boolean().default(false),
  /** Takes no more than so many guests of other clusters; null: as many as of the own. */
  grid_guests: z.int().nonnegative().nullable().default(null),
  /** Of partners, where they are others than in the partners' files. */
  priorities: z.record(z.string(), partnerPriority).default({}),
});
export type Settings = Omit<z.infer<typeof settings>, 'version'>;

export type SettingsChange = { [Name in Exclude<keyof Settings, 'priorities'>]?: Settings[Name] | undefined } & {
  /** null: as in the partner's file. */
  priorities?: Record<string, number | null> | undefined;
};

export class NodeSettings {
  private present: Settings;

  constructor(private readonly file: string) {
    const parsed = settings.safeParse(readJson(file));
    const { version: _version, ...present } = parsed.success ? parsed.data : settings.parse({ version: 1 });
    this.present = present;
  }

  get current(): Settings {
    return { ...this.present };
  }

  /** Why own processes do not leave by themselves; null when they do. */
  get whyOwnStay(): string | null {
    if (this.present.stay) return 'processes stay on this node (mosctl nostay)';
    return this.present.local_stay ? "this node's own processes stay (mosctl nolstay)" : null;
  }

  /** What is not named stays. */
  change({ priorities, ...change }: SettingsChange): void {
    const named = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const all = Object.entries({ ...this.present.priorities, ...priorities });
    const set = all.filter((entry): entry is [string, number] => entry[1] !== null);
    this.present = { ...this.present, ...named, priorities: Object.fromEntries(set) };
    writeAtomically(this.file, JSON.stringify({ version: 1, ...this.present }));
  }
}
