# azssh-doctor in a small image: docker build -t azssh-doctor . && docker run --rm -v ~/.ssh:/root/.ssh:ro -v ~/.azure:/root/.azure azssh-doctor myVM
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc make autoconf automake pkg-config libc6-dev \
    libcurl4-openssl-dev libssl-dev libssh2-1-dev libutf8proc-dev libyaml-dev libjansson-dev
COPY . /src
WORKDIR /src
RUN autoreconf -i && mkdir /made && cd /made && /src/configure -q --prefix=/usr && make -s && make -s install DESTDIR=/root-fs

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates openssh-client libcurl4 libssl3 libssh2-1 \
    libutf8proc2 libyaml-0-2 libjansson4 && rm -rf /var/lib/apt/lists/*
COPY --from=build /root-fs/usr/ /usr/
ENTRYPOINT ["azssh-doctor"]
