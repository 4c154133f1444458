//! The outermost layers of a datagram or stream: CRC, encryption, label.
