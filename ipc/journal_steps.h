// The named points of the journal's write path: FileLayer::step is called with these. A test that
// kills the process, or takes the power away, at each of them has seen every order in which the
// journal's files can be found afterwards.
//
// Thread: constants.
#pragma once

#include <array>

namespace shmatch::ipc::steps {

// A group: nothing of it is in the file; all of it is.
inline constexpr const char* kAppendBeforeWrite = "append.before_write";
inline constexpr const char* kAppendAfterWrite = "append.after_write";

// Groups become durable between these two.
inline constexpr const char* kSyncBefore = "sync.before";
inline constexpr const char* kSyncAfter = "sync.after";

// A segment is full, or the journal is closed: cut to what is used, then durable.
inline constexpr const char* kFinishBefore = "finish.before";
inline constexpr const char* kFinishCut = "finish.cut";
inline constexpr const char* kFinishSynced = "finish.synced";

// A new segment: made under a temporary name, written, durable, named, its name durable.
inline constexpr const char* kSegmentCreated = "segment.created";
inline constexpr const char* kSegmentWritten = "segment.written";
inline constexpr const char* kSegmentSynced = "segment.synced";
inline constexpr const char* kSegmentNamed = "segment.named";
inline constexpr const char* kSegmentFolderSynced = "segment.folder_synced";

// A snapshot, likewise.
inline constexpr const char* kSnapshotCreated = "snapshot.created";
inline constexpr const char* kSnapshotWritten = "snapshot.written";
inline constexpr const char* kSnapshotSynced = "snapshot.synced";
inline constexpr const char* kSnapshotNamed = "snapshot.named";
inline constexpr const char* kSnapshotFolderSynced = "snapshot.folder_synced";

// Recovery: before the journal's end is touched; what was torn is cut; the end is durable.
inline constexpr const char* kRecoveryBefore = "recovery.before";
inline constexpr const char* kRecoveryCut = "recovery.cut";
inline constexpr const char* kRecoverySynced = "recovery.synced";

// Retention and repair: one more file is removed.
inline constexpr const char* kFileRemoved = "file.removed";

inline constexpr std::array kAll = {
    kAppendBeforeWrite, kAppendAfterWrite,     kSyncBefore,      kSyncAfter,       kFinishBefore,
    kFinishCut,         kFinishSynced,         kSegmentCreated,  kSegmentWritten,  kSegmentSynced,
    kSegmentNamed,      kSegmentFolderSynced,  kSnapshotCreated, kSnapshotWritten, kSnapshotSynced,
    kSnapshotNamed,     kSnapshotFolderSynced, kRecoveryBefore,  kRecoveryCut,     kRecoverySynced,
    kFileRemoved,
};

}  // namespace shmatch::ipc::steps
