// The drag and drop handlers of an element that takes files, and whether a file is over it now.
import { useState, type DragEvent } from "react";

export function useDropZone(onDrop: (transfer: DataTransfer) => void) {
  const [over, setOver] = useState(false);
  const handlers = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      onDrop(event.dataTransfer);
    },
  };
  return { over, handlers };
}
