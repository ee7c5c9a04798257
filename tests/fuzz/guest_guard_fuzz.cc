// What the fast path leaves to the core: all that the core objects to, whatever a guest makes of a frame.
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/vnet/guest_guard.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/ethernet.h"

using namespace ipop;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Service service =
      Service::make("grid", {.network = {0x0a800000}, .prefix_length = 20}, 7, 1380);
  static const AddressBook book{.service = service,
                                .guests = {{Ipv4Address{0x0a80000b}, {{0x52, 0x54, 0, 0, 0, 1}}}}};
  const ByteView input(data, size);
  const auto frame = EthernetFrame::decode(input);
  if (!frame) return 0;
  const bool is_left = must_judge(book, input);
  IPOP_ASSERT(is_left || frame->header.src == service.mac || !find_imposture(service, input));
  return 0;
}
