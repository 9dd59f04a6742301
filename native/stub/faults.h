// Numbered fault points: what tests make fail, once, in the next move, to see that nothing is lost. A mover finds a number in the file `fault` of its
// state directory, which only root can write; `mosmove faults` lists them. Append only.
#pragma once
#include <stdint.h>

#define MOSRUN_FAULTS(F)                                                           \
  F(1, mover_dies_at_start, "the mover is killed before it connects")             \
  F(2, mover_dies_connected, "the mover is killed when all channels are open")    \
  F(3, mover_dies_stopped, "the mover is killed while all threads are stopped")   \
  F(4, mover_dies_mapped, "the mover is killed when the stub is mapped")          \
  F(5, mover_dies_written, "the mover is killed when the stub is written")        \
  F(6, mover_dies_half_let_go, "the mover is killed with one thread let go")      \
  F(7, mover_dies_let_go, "the mover is killed with all threads let go")          \
  F(8, mover_dies_handing, "the mover is killed with half of the channels handed over") \
  F(9, mover_dies_following, "the mover is killed when the stub has all it needs") \
  F(10, stub_no_memory, "the process may map no more memory")                      \
  F(11, other_version, "the data port speaks another version of the protocol")     \
  F(12, mover_dies_ordering, "the mover is killed before it orders the process home") \
  F(13, mover_dies_ordered, "the mover is killed when it has ordered the process home") \
  F(14, mover_dies_cleaning, "the mover is killed before it takes the stub out")  \
  F(15, mover_dies_watching, "the mover is killed when the process has made what its pages are watched by") \
  F(16, mover_dies_copying, "the mover is killed when some of the memory has been copied") \
  F(17, copy_cut, "the connection is cut while memory is copied ahead")           \
  F(18, stream_cut, "one of several connections is cut while memory is copied ahead") \
  F(20, leave_descriptors, "the process has no descriptor left for a channel")     \
  F(21, leave_cut_at_state, "the connection is cut before the threads' state")    \
  F(22, leave_cut_at_pages, "the connection is cut among the pages")              \
  F(23, leave_silent, "the memory never ends")                                    \
  F(24, leave_cut_at_go, "the connection is cut before GO")                       \
  F(25, leave_running_lost, "the guest runs, but home never hears of it")         \
  F(40, arrive_no_memory, "the hosting node has no memory")                       \
  F(41, arrive_no_thread, "the hosting node makes no thread")                     \
  F(42, arrive_dies, "the guest dies while it is built")                          \
  F(43, arrive_silent, "the guest is never ready")                                \
  F(44, arrive_dies_at_go, "the guest dies at GO")                                \
  F(45, arrive_not_running, "the guest never says that it runs")                  \
  F(46, stage_no_memory, "the hosting node has no memory for what is copied ahead") \
  F(60, home_no_memory, "home has no memory for what comes back")                 \
  F(61, home_cut_at_start, "the connection is cut before the list of mappings")   \
  F(62, home_cut_at_pages, "the connection is cut among the pages that come back") \
  F(63, home_cut_at_end, "the connection is cut before the end of the memory")    \
  F(64, home_no_channel, "home does not know the channel the memory comes over")  \
  F(65, stage_cut, "the connection is cut while memory comes home ahead")         \
  F(66, stage_no_room, "home has no memory for what comes ahead")                  \
  F(67, stage_late, "the memory has come home ahead, and nobody orders the process home") \
  F(68, stage_one_stream, "home opens no further channels for what comes ahead")  \
  F(69, stage_mute, "home does not say what it still has of the memory that comes ahead") \
  F(80, dump_cut_at_start, "the guest's stream is cut before its mappings")       \
  F(81, dump_cut_at_pages, "the guest's stream is cut among its pages")           \
  F(82, dump_silent, "the guest stops sending")                                   \
  F(83, dump_no_spare, "the guest has no channel to spare for its memory")         \
  F(84, ahead_dies, "the guest's copier dies at its work")                         \
  F(85, ahead_unwatched, "the hosting node's kernel cannot watch changes")         \
  F(100, guest_no_thread, "the hosting node has no room for another thread of the guest") \
  F(101, guest_no_process, "the hosting node has no room for a child of the guest") \
  F(102, home_thread_lingers, "a thread that ends lingers at home, its channel closed") \
  F(103, sleep_forgotten, "the scheduler has forgotten since when a thread sleeps") \
  F(104, stop_late, "threads stand still only 300 ms after they were asked to")     \
  F(105, stage_lingers, "the thread that takes memory at home does not get on at once") \
  F(110, home_no_lease, "somebody has the file open that home is to read ahead of the program") \
  F(111, home_read_ahead, "home cannot read ahead")                               \
  F(113, home_write_fails, "a write that the program has not waited for fails: the disk is full") \
  F(114, home_no_statuses, "home cannot tell of a directory's files ahead")       \
  F(112, home_young_file, "home takes a file that has just changed for one of the system's that does not") \
  F(120, freeze_disk_full, "the disk is full while a process is frozen")          \
  F(121, freeze_dies, "the freezer is killed while it writes")                    \
  F(122, freeze_silent, "the freezer never says that it has everything")          \
  F(123, freeze_dies_at_go, "the freezer is killed at GO")                        \
  F(124, freeze_not_running, "the freezer never says that it keeps the process")  \
  F(125, thaw_cut_at_start, "the connection is cut before a frozen process's mappings") \
  F(126, thaw_cut_at_pages, "the connection is cut among a frozen process's pages") \
  F(127, thaw_no_spare, "the freezer has no channel to spare")

namespace mosrun {

enum class Fault : uint32_t {
  none,
#define MOSRUN_FAULT(number, name, text) name = number,
  MOSRUN_FAULTS(MOSRUN_FAULT)
#undef MOSRUN_FAULT
};

}  // namespace mosrun
