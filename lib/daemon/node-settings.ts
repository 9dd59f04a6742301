/** What root has told this node by mosctl. It outlasts the daemon and a reboot. */
import { z } from 'zod';
import { readJson, writeAtomically } from '../shared/files.js';

const settings = z.object({
  version: z.literal(1),
  /** Takes no guests. */
  blocked: z.boolean(),
  /** No process leaves by itself: neither own ones nor guests. */
  stay: z.boolean(),
  /** Own processes do not leave by themselves. */
  local_stay: z.boolean(),
});
export type Settings = Omit<z.infer<typeof settings>, 'version'>;

export type SettingsChange = { [Name in keyof Settings]?: boolean | undefined };

export class NodeSettings {
  private present: Settings;

  constructor(private readonly file: string) {
    const parsed = settings.safeParse(readJson(file));
    this.present = parsed.success ? parsed.data : { blocked: false, stay: false, local_stay: false };
  }

  get current(): Settings {
    const { blocked, stay, local_stay } = this.present;
    return { blocked, stay, local_stay };
  }

  /** Why own processes do not leave by themselves; null when they do. */
  get whyOwnStay(): string | null {
    if (this.present.stay) return 'processes stay on this node (mosctl nostay)';
    return this.present.local_stay ? "this node's own processes stay (mosctl nolstay)" : null;
  }

  /** What is not named stays. */
  change({ blocked, stay, local_stay }: SettingsChange): void {
    const { present } = this;
    this.present = {
      blocked: blocked ?? present.blocked,
      stay: stay ?? present.stay,
      local_stay: local_stay ?? present.local_stay,
    };
    writeAtomically(this.file, JSON.stringify({ version: 1, ...this.present }));
  }
}
