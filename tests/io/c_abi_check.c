/* overlay/ipop.h is C: this file, compiled as C, makes and refuses ports.  Called by c_abi_test.cc. */

#include "overlay/ipop.h"

#include <errno.h>
#include <string.h>

/* Returns null if everything behaves as the header says, else what does not. */
const char *
ipop_c_abi_check(void)
{
    const struct ipop_config no_invite = { .name = "ipop0" };
    struct ipop_port *port = (struct ipop_port *) &no_invite;
    char *error = NULL;

    ipop_set_log(NULL);
    if (ipop_port_create(&no_invite, &port, &error) != EINVAL) {
        return "a port without an invite must be EINVAL";
    }
    if (port) {
        return "no port may come out of an error";
    }
    if (!error || !strstr(error, "options:invite")) {
        return "the error must name the option";
    }
    ipop_free(error);
    if (ipop_port_create(&no_invite, &port, NULL) != EINVAL) {
        return "errp may be null";
    }
    ipop_free(NULL);
    ipop_port_destroy(NULL);
    return NULL;
}
