// Waits that go on at home with their whole time although a part of it is over: kept from when the stub is taken out until the process leaves again.
#pragma once
#include "engine/waits.h"
#include "mover/mover.h"

namespace mosrun {

void keep_waits(const Order &order, const std::vector<Carried> &waits);
std::vector<Carried> kept_waits(const Order &order);

}  // namespace mosrun
