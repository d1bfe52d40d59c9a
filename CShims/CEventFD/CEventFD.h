#ifndef C_EVENTFD_H
#define C_EVENTFD_H

#include <sys/eventfd.h>

#endif
