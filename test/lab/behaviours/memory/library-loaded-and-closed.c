// A library loaded away works at home and the other way round, runs its functions, and is gone when it is closed.
#include "../../lab.h"
#include <dlfcn.h>

BEHAVIOUR {
  void *math = TRY(dlopen("libm.so.6", RTLD_NOW));
  HOLDS(math != NULL);
  double (*cosine)(double) = (double (*)(double))dlsym(math, "cos");
  HOLDS(cosine(0) == 1);
  HOLDS(dlsym(math, "no_such_function") == NULL);
  AT(HOLDS(dlerror() != NULL && dlerror() == NULL));
  DO(dlopen("libm.so.6", RTLD_NOW | RTLD_NOLOAD) == math);
  HOLDS(dlclose(math) == 0);
  AT(SAY("%.3f", cosine(1)));
  DO(dlclose(math));
  AT(HOLDS(dlopen("libm.so.6", RTLD_NOW | RTLD_NOLOAD) == NULL));
  AT(HOLDS(dlopen("./none.so", RTLD_NOW) == NULL));
  AT(math = dlopen("libm.so.6", RTLD_LAZY | RTLD_GLOBAL));
  Dl_info info;
  double (*sine)(double) = (double (*)(double))dlsym(RTLD_DEFAULT, "sin");
  HOLDS(sine && sine(0) == 0 && dladdr((void *)sine, &info) && strstr(info.dli_fname, "libm"));
}
