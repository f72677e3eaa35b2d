"""Operations: the one door. Every read and write that anyone can ask for; decisions live in the packages below."""
