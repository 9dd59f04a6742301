// set_robust_list and get_robust_list keep what was set; locks on the list are marked when their owner ends, and a waiter is woken.
#include "../../lab.h"
#include <linux/futex.h>
#include <stddef.h>

static struct node { struct robust_list list; int word; } node __attribute__((aligned(16)));
static struct robust_list_head head = {.futex_offset = offsetof(struct node, word)};
static void *die(void *none) {
  head.list.next = &node.list;
  node.list.next = &head.list;
  syscall(SYS_set_robust_list, &head, sizeof head);
  node.word = gettid() | FUTEX_WAITERS;
  sleep_ms(70);
  syscall(SYS_exit, 0);
  return none;
}

BEHAVIOUR {
  struct robust_list_head *now = NULL, *mine = NULL;
  size_t length = 0;
  DO(syscall(SYS_get_robust_list, 0, &mine, &length));
  SAY("%zu, %d", length, mine != NULL);
  DO(syscall(SYS_set_robust_list, &head, sizeof head - 1));
  head.list.next = &head.list;
  DO(syscall(SYS_set_robust_list, &head, sizeof head));
  DO(syscall(SYS_get_robust_list, 0, &now, &length));
  HOLDS(now == &head);
  DO(syscall(SYS_get_robust_list, gettid(), &now, &length));
  HOLDS(now == &head);
  DO(syscall(SYS_get_robust_list, 4000000, &now, &length));
  DO(syscall(SYS_get_robust_list, 0, (void *)8, &length));
  DO(syscall(SYS_set_robust_list, mine, sizeof head));
  for (int i = 0; i < 2; ++i) {
    pthread_t thread;
    node.word = 0;
    pthread_create(&thread, NULL, die, NULL);
    while (!node.word) sleep_ms(1);
    for (int value; !((value = __atomic_load_n(&node.word, __ATOMIC_SEQ_CST)) & FUTEX_OWNER_DIED);) AT(syscall(SYS_futex, &node.word, FUTEX_WAIT, value, NULL, NULL, 0));
    SAY("owner died %d", (node.word & FUTEX_OWNER_DIED) != 0);
    pthread_join(thread, NULL);
  }
}
