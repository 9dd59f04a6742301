// pthread_getattr_np tells where the stack of the first thread lies, and the stack that is in use is within it.
#include "../../lab.h"

static void *other(void *none) {
  pthread_attr_t attr;
  void *low;
  size_t size, guard;
  lab_point("thread");
  pthread_getattr_np(pthread_self(), &attr);
  pthread_attr_getstack(&attr, &low, &size);
  pthread_attr_getguardsize(&attr, &guard);
  HOLDS((char *)&attr > (char *)low && (char *)&attr < (char *)low + size);
  SAY("%d %d", (int)size, (int)guard);
  pthread_attr_destroy(&attr);
  return none;
}

BEHAVIOUR {
  pthread_attr_t attr;
  void *low[3], *kept;
  size_t size[3];
  for (int i = 0; i < 3; ++i) {
    GIVES(pthread_getattr_np(pthread_self(), &attr));
    pthread_attr_getstack(&attr, &low[i], &size[i]);
    HOLDS((char *)&attr > (char *)low[i] && (char *)&attr < (char *)low[i] + size[i]);
    HOLDS((char *)low[0] + size[0] == (char *)low[i] + size[i] && size[0] == size[i]);
    pthread_attr_destroy(&attr);
  }
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 << 10);
  pthread_attr_setguardsize(&attr, 8192);
  pthread_t thread;
  pthread_create(&thread, &attr, other, NULL);
  AT(pthread_join(thread, &kept));
}
