// A program that has dropped root may open what it had open, and not what is another's.
#include "../../lab.h"

BEHAVIOUR {
  AT(umask(022));
  const int secret = DO(open("secret", O_RDWR | O_CREAT, 0600));
  DO(open("public", O_RDWR | O_CREAT, 0644));
  DO(chmod(".", 0755));
  DO(setresuid(1001, 1001, 1001));
  DO(write(secret, "text", 4));
  DO(open("secret", O_RDONLY));
  DO(open("public", O_RDWR));
  DO(open("public", O_RDONLY) >= 0);
  DO(open("mine", O_RDWR | O_CREAT, 0644));
  DO(unlink("public"));
  DO(fchmod(secret, 0644));
  DO(chown("public", 1001, -1));
  DO(access("secret", R_OK));
  DO(fcntl(secret, F_GETFL) & O_ACCMODE);
  DO(mkdir("/proc/here", 0755));
  DO(socket(AF_INET, SOCK_RAW, 1));
  DO(chroot("."));
  DO(sethostname("other", 5));
}
