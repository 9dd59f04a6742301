// What mosseal gives up before it hears the first stranger.
#pragma once

namespace mosrun {

// No rights, no files, no new programs: what is left are the sockets it has, and connections of its own. 0, or -errno with the step that failed.
int confine(const char **step);

}  // namespace mosrun
