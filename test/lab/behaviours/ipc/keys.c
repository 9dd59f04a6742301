// Keys are added, found, read, changed and revoked in the keyring of the process.
// home: keyctl
#include "../../lab.h"
#include <linux/keyctl.h>

static long serial, ring;
static long add(const char *payload, size_t size) { return serial = syscall(SYS_add_key, "user", "lab:key", payload, size, KEY_SPEC_PROCESS_KEYRING); }
static long control(int op, long a, long b, long c) { return syscall(SYS_keyctl, op, a, b, c, 0); }

BEHAVIOUR {
  char text[16] = "";
  TRY(add("secret", 6));
  const long first = serial;
  HOLDS(control(KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, (long)"user", (long)"lab:key") == first);
  DO(control(KEYCTL_READ, serial, (long)text, 3));
  DO(control(KEYCTL_READ, serial, (long)text, sizeof text));
  SAY("%s", text);
  TRY(add("changed", 7));
  HOLDS(serial == first);
  DO(control(KEYCTL_READ, serial, (long)text, sizeof text));
  SAY("%s", text);
  HOLDS(syscall(SYS_request_key, "user", "lab:key", NULL, 0) == first);
  DO(syscall(SYS_request_key, "user", "lab:none", NULL, 0));
  ring = TRY(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0, 0));
  DO(control(KEYCTL_UNLINK, serial, ring, 0));
  DO(control(KEYCTL_REVOKE, serial, 0, 0) == 0);
  DO(syscall(SYS_add_key, "none", "lab:key", "x", 1, KEY_SPEC_PROCESS_KEYRING));
  DO(syscall(SYS_add_key, "user", NULL, "x", 1, KEY_SPEC_PROCESS_KEYRING));
  DO(syscall(SYS_add_key, "user", "lab:key", (void *)8, 5, KEY_SPEC_PROCESS_KEYRING));
  DO(control(12345, 0, 0, 0));
}
