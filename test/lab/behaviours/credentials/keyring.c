// Keys: a session keyring of the own, a key in it by description, and what becomes of it when it is revoked.
// home: keyctl
#include "../../lab.h"
#include <linux/keyctl.h>

static long key_command(int command, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  return syscall(SYS_keyctl, command, a, b, c, d);
}

BEHAVIOUR {
  if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1) < 0 && errno == ENOSYS) return SAY("no keys here");
  TRY(key_command(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)"laboratory", 0, 0, 0));
  const long key = TRY(syscall(SYS_add_key, "user", "one", "secret", 6, KEY_SPEC_SESSION_KEYRING));
  char text[64] = "";
  DO(key_command(KEYCTL_READ, (unsigned long)key, (unsigned long)text, 3, 0));
  DO(key_command(KEYCTL_READ, (unsigned long)key, (unsigned long)text, sizeof text, 0));
  SAY("%s", text);
  HOLDS(key_command(KEYCTL_SEARCH, (unsigned long)KEY_SPEC_SESSION_KEYRING, (unsigned long)"user", (unsigned long)"one", 0) == key);
  DO(key_command(KEYCTL_UPDATE, (unsigned long)key, (unsigned long)"longer secret", 13, 0));
  DO(key_command(KEYCTL_READ, (unsigned long)key, (unsigned long)text, sizeof text, 0));
  SAY("%s", text);
  HOLDS(syscall(SYS_request_key, "user", "one", NULL, 0) == key);
  DO(syscall(SYS_add_key, "user", "two", 8, 6, KEY_SPEC_SESSION_KEYRING));
  DO(syscall(SYS_add_key, "no-such-type", "two", "x", 1, KEY_SPEC_SESSION_KEYRING));
  DO(key_command(KEYCTL_REVOKE, (unsigned long)key, 0, 0, 0));
  DO(key_command(KEYCTL_READ, (unsigned long)key, (unsigned long)text, sizeof text, 0));
  DO(key_command(KEYCTL_UNLINK, (unsigned long)key, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0, 0));
}
