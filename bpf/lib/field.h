/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Fields of sockets. A tracepoint hands over a socket that the verifier knows: its fields are loaded
 * like any other. A socket that was found by its descriptor is only an address: its fields are
 * copied. Built with CAPTURE_SYSCALL the programs need no function of newer kernels for that.
 */
#ifndef AFTERTRACE_FIELD_H
#define AFTERTRACE_FIELD_H

#include "../kernel.h"

#ifdef CAPTURE_SYSCALL
#define FIELD(object, ...) BPF_CORE_READ(object, __VA_ARGS__)
#define AS(type, socket) ((const type *)(socket))
#else
#define GET_1(object, a) ((object)->a)
#define GET_2(object, a, b) ((object)->a->b)
#define GET_OF(object, a, b, name, ...) name
/* FIELD(object, a, b): object->a->b, where a and b may name fields within fields. */
#define FIELD(object, ...) GET_OF(object, __VA_ARGS__, GET_2, GET_1)(object, __VA_ARGS__)
/* The socket as what it is besides. */
#define AS(type, socket) ((const type *)bpf_rdonly_cast(socket, bpf_core_type_id_kernel(type)))
#endif

#endif
