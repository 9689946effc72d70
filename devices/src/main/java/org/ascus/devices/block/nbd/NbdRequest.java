package org.ascus.devices.block.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.host.Errno;

/**
 * A request of a client.
 *
 * @param cookie names it in its reply
 * @param length bytes, 0 to 2^32 - 1
 */
record NbdRequest(int flags, int command, long cookie, long offset, long length) {
  static final NbdRequest NONE = new NbdRequest(0, 0, 0, 0, 0);

  private static final int MOST_EXTENTS = 2048;

  private boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /**
   * Does a request and says how it went.
   *
   * @param structured whether the client understands structured replies
   */
  record Reply(NbdRequest request, boolean structured, Contexts contexts) {
    /** @param data what a write brings */
    ByteBuf to(NbdExport export, ByteBuffer data) {
      try {
        int error = check(export);
        return error != 0 ? failed(error, Errno.text(error)) : run(export, data);
      } catch (BlockException e) {
        return failed(e.noSpace() ? Wire.ENOSPC : Wire.EIO, e.getMessage());
      } catch (RuntimeException e) {
        // A defect of a block driver: the client sees a broken disk.
        return failed(Wire.EIO, "internal error: " + e);
      }
    }

    private int check(NbdExport export) {
      boolean changes = switch (request.command) {
        case Wire.CMD_WRITE, Wire.CMD_TRIM, Wire.CMD_WRITE_ZEROES -> true;
        default -> false;
      };
      int known = switch (request.command) {
        case Wire.CMD_READ -> Wire.FLAG_FUA | (structured ? Wire.FLAG_DF : 0);
        case Wire.CMD_WRITE_ZEROES -> Wire.FLAG_FUA | Wire.FLAG_NO_HOLE;
        case Wire.CMD_BLOCK_STATUS -> Wire.FLAG_FUA | Wire.FLAG_REQ_ONE;
        default -> Wire.FLAG_FUA;
      };
      if (changes && export.isReadOnly()) {
        return Wire.EPERM;
      }
      if ((request.flags & ~known) != 0) {
        return Wire.EINVAL;
      }
      boolean ranged = request.command != Wire.CMD_FLUSH;
      if (ranged && (request.offset < 0 || request.offset > export.node().size() - request.length)) {
        return changes && request.command != Wire.CMD_TRIM ? Wire.ENOSPC : Wire.EINVAL;
      }
      return 0;
    }

    private ByteBuf run(NbdExport export, ByteBuffer data) throws BlockException {
      BlockNode node = export.node();
      switch (request.command) {
        case Wire.CMD_READ -> {
          return structured && request.length > 0 ? readChunks(node) : readAll(node);
        }
        case Wire.CMD_WRITE -> node.write(request.offset, data);
        case Wire.CMD_FLUSH -> node.flush();
        case Wire.CMD_TRIM -> node.discard(request.offset, request.length);
        case Wire.CMD_WRITE_ZEROES ->
            node.writeZeroes(request.offset, request.length, !request.has(Wire.FLAG_NO_HOLE));
        case Wire.CMD_BLOCK_STATUS -> {
          return !contexts.ids().isEmpty() && request.length > 0 ? status()
              : failed(Wire.EINVAL, "no context was negotiated");
        }
        default -> {
          return failed(Wire.EINVAL, "unsupported request type " + request.command);
        }
      }
      if (request.has(Wire.FLAG_FUA) && request.command != Wire.CMD_FLUSH) {
        node.flush();
      }
      return structured ? chunk(Wire.REPLY_DONE, Wire.REPLY_NONE, 0) : simple(0);
    }

    private ByteBuf simple(int error) {
      return Unpooled.buffer(16).writeInt(Wire.SIMPLE_REPLY_MAGIC).writeInt(error).writeLong(request.cookie);
    }

    private ByteBuf chunk(int chunkFlags, int type, int length) {
      return Unpooled.buffer(32).writeInt(Wire.STRUCTURED_REPLY_MAGIC).writeShort(chunkFlags).writeShort(type)
          .writeLong(request.cookie).writeInt(length);
    }

    private ByteBuf failed(int error, String why) {
      if (!structured) {
        return simple(error);
      }
      byte[] text = String.valueOf(why).substring(0, Math.min(1000, String.valueOf(why).length()))
          .getBytes(StandardCharsets.UTF_8);
      return chunk(Wire.REPLY_DONE, Wire.REPLY_ERROR, 6 + text.length).writeInt(error).writeShort(text.length)
          .writeBytes(text);
    }

    private static ByteBuf bytes(BlockNode node, long at, int length) throws BlockException {
      ByteBuffer target = ByteBuffer.allocateDirect(length);
      node.read(at, target);
      return Unpooled.wrappedBuffer(target.flip());
    }

    private ByteBuf readAll(BlockNode node) throws BlockException {
      return structured ? chunk(Wire.REPLY_DONE, Wire.REPLY_NONE, 0)
          : Unpooled.wrappedBuffer(simple(0), bytes(node, request.offset, (int) request.length));
    }

    /** Data and holes in chunks of their own, or all in one where that is asked for. */
    private ByteBuf readChunks(BlockNode node) throws BlockException {
      CompositeByteBuf all = Unpooled.compositeBuffer(Integer.MAX_VALUE);
      long end = request.offset + request.length;
      for (long at = request.offset; at < end; ) {
        Extent extent = request.has(Wire.FLAG_DF) ? Extent.data(end - at, at) : node.extent(at, end - at);
        int length = (int) Math.min(extent.length(), end - at);
        while (at + length < end && !extent.zero()) {
          Extent next = node.extent(at + length, end - at - length);
          if (next.zero()) {
            break;
          }
          length += (int) Math.min(next.length(), end - at - length);
        }
        int done = at + length == end ? Wire.REPLY_DONE : 0;
        if (extent.zero()) {
          all.addComponent(true, chunk(done, Wire.REPLY_OFFSET_HOLE, 12).writeLong(at).writeInt(length));
        } else {
          all.addComponent(true, chunk(done, Wire.REPLY_OFFSET_DATA, 8 + length).writeLong(at));
          all.addComponent(true, bytes(node, at, length));
        }
        at += length;
      }
      return all;
    }

    private ByteBuf status() throws BlockException {
      ByteBuf all = Unpooled.buffer();
      for (int i = 0; i < contexts.ids().size(); i++) {
        int context = contexts.ids().get(i);
        ByteBuf extents = Unpooled.buffer();
        long end = request.offset + request.length;
        long run = 0;
        long state = 0;
        long most = request.has(Wire.FLAG_REQ_ONE) ? 1 : MOST_EXTENTS;
        long count = 0;
        for (long at = request.offset; at < end; ) {
          long[] next = contexts.status(context, at, end - at);
          if (run > 0 && next[1] != state) {
            extents.writeInt((int) run).writeInt((int) state);
            run = 0;
            count++;
            if (count == most) {
              break;
            }
          }
          state = next[1];
          run += next[0];
          at += next[0];
        }
        if (run > 0) {
          extents.writeInt((int) run).writeInt((int) state);
        }
        boolean last = i == contexts.ids().size() - 1;
        all.writeBytes(chunk(last ? Wire.REPLY_DONE : 0, Wire.REPLY_BLOCK_STATUS, 4 + extents.readableBytes()))
            .writeInt(context).writeBytes(extents);
      }
      return all;
    }
  }
}
