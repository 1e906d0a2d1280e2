// A socket address as JavaScript has it: { family, address, port, flowinfo?, scopeid? } or { family, path }.
#pragma once

#include "binding/args.h"
#include "support/address.h"

namespace truefork {

Address AddressFrom(const Args& args, size_t index, const char* name);

// Fills an object of the caller's, as the call fills a struct.
void FillAddress(Napi::Object object, const Address& address);

Napi::Object AddressToObject(Napi::Env env, const Address& address);

// The error of a call that was about this address.
Napi::Error AddressError(const Args& args, const Address& address);

}  // namespace truefork
