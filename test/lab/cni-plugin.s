# Stands in for Calico's program of v3.16 and later (cni-plugin/cmd/calico): one file for calico, calico-ipam and
# install, which acts by the last part of argv[0] and panics under any other name. It prints its version, and answers
# CNI VERSION; it plugs no pod. install is the script that stands beside it in the image.
        .intel_syntax noprefix
        .globl  _start
_start: mov     rsi, [rsp + 8]
        mov     rdi, rsi                # its last part
next:   lodsb
        test    al, al
        jz      ended
        cmp     al, '/'
        jne     next
        mov     rdi, rsi
        jmp     next
ended:  lea     rsi, [rip + calico]
        call    same
        je      plugin
        lea     rsi, [rip + ipam]
        call    same
        je      plugin
        lea     rsi, [rip + install]
        call    same
        je      script
        mov     edi, 2
        lea     rsi, [rip + panic]
        mov     edx, offset panic_end - panic
        mov     ebx, 2
        jmp     say
script: mov     rax, [rsp]              # argc
        lea     rsi, [rsp + 8]          # argv
        lea     rdx, [rsp + rax * 8 + 16] # the environment
        lea     rdi, [rip + path]
        mov     eax, 59                 # execve
        syscall
        mov     edi, 127
        mov     eax, 60                 # exit
        syscall

plugin: mov     edi, 1
        xor     ebx, ebx
        cmp     qword ptr [rsp], 1      # argc
        jg      asked
        lea     rsi, [rip + answer]
        mov     edx, offset answer_end - answer
        jmp     say
asked:  lea     rsi, [rip + version]
        mov     edx, offset version_end - version
say:    mov     eax, 1                  # write(edi, rsi, edx)
        syscall
        mov     edi, ebx
        mov     eax, 60                 # exit
        syscall

same:   push    rdi                     # sets ZF where rdi and rsi are one text
each:   mov     al, [rsi]
        cmp     al, [rdi]
        jne     told
        inc     rsi
        inc     rdi
        test    al, al
        jnz     each
told:   pop     rdi
        ret

        .section .rodata
calico: .asciz  "calico"
ipam:   .asciz  "calico-ipam"
install: .asciz "install"
path:   .asciz  "/install-cni.sh"
version: .ascii "@version@\n"
version_end:
answer: .ascii  "{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\"]}\n"
answer_end:
panic:  .ascii  "panic: Unknown binary name\n"
panic_end:
