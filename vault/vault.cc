#include "callvault/vault.h"
