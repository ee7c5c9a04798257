# Links ovs-vswitchd-ipop.  Run in the build directory of Open vSwitch, whose Makefile it includes, so that every
# flag, library and feature of ovs-vswitchd is its own choice:
#
#     make -f ipop.mk IPOP_SOURCE=... IPOP_ENGINE=... IPOP_OBJECTS=... IPOP_PROGRAM=... IPOP_CFLAGS=... ipop
#
# IPOP_SOURCE   the root of our sources
# IPOP_ENGINE   libipop.a
# IPOP_OBJECTS  where the objects go, which depend on how Open vSwitch was configured
# IPOP_PROGRAM  the program
# IPOP_CFLAGS   more flags for compiling and linking: sanitizers

include Makefile

OBJECTS_OF_IPOP = $(addprefix $(IPOP_OBJECTS)/, netdev-ipop.o netdev-ipop-wrong-datapath.o ipop-engine.o \
	ipop-interface.o ipop-packet.o ipop-appctl.o vswitchd-wrap.o)

# What the engine needs.  The two that no other part of Open vSwitch uses are linked in, so that the program runs
# wherever the distribution's own ovs-vswitchd does.
IPOP_LIBS = -Wl,-Bstatic -lboost_json -lIPSec_MB -Wl,-Bdynamic -lcrypto -lpthread
ifneq ($(shell uname -m),x86_64)
IPOP_LIBS := $(filter-out -lIPSec_MB,$(IPOP_LIBS))
endif

ipop: $(IPOP_PROGRAM)

HEADERS_OF_IPOP = $(addprefix $(IPOP_SOURCE)/, ovs-plugin/netdev-ipop.h ovs-plugin/ipop-engine.h \
	ovs-plugin/ipop-interface.h ovs-plugin/ipop-packet.h overlay/ipop.h)

$(IPOP_OBJECTS)/%.o: $(IPOP_SOURCE)/ovs-plugin/%.c $(HEADERS_OF_IPOP) $(IPOP_SOURCE)/ovs-plugin/ipop.mk
	$(CC) $(DEFS) $(DEFAULT_INCLUDES) $(INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) -I$(IPOP_SOURCE) \
	    $(AM_CFLAGS) $(CFLAGS) $(IPOP_CFLAGS) -Wall -Wextra -Werror -c -o $@ $<

$(IPOP_PROGRAM): $(OBJECTS_OF_IPOP) $(IPOP_ENGINE)
	$(LIBTOOL) --silent --tag=CXX --mode=link $(CXX) $(CFLAGS) $(IPOP_CFLAGS) $(vswitchd_ovs_vswitchd_LDFLAGS) \
	    $(LDFLAGS) -Wl,--wrap=bridge_init -Wl,--wrap=ofproto_port_open_type -Wl,--wrap=dpif_run -o $@ \
	    $(vswitchd_ovs_vswitchd_OBJECTS) $(OBJECTS_OF_IPOP) $(IPOP_ENGINE) \
	    $(vswitchd_ovs_vswitchd_LDADD) $(IPOP_LIBS) $(LIBS)

.PHONY: ipop
